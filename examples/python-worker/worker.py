#!/usr/bin/env python3
"""Serves an event store in memory through a gateway of esdb-gater: a store worker in another language.

    python3 worker.py --url ws://127.0.0.1:4590/v1/ws --store orders [--token-file FILE]

Only the standard library is used: websocket.py speaks RFC 6455, store.py is the store, values.py has its rules, and this
file speaks JSON-RPC 2.0 both ways. The worker registers itself and then answers the calls of the gateway, one after
the other; when the connection breaks it comes back, with the same events.
"""

import argparse
import json
import logging
import random
import signal
import sys
import time
import uuid

from store import Store
from values import RETRIABLE, StoreError, finite, invalid
from websocket import WebSocket, WebSocketClosed

SUBPROTOCOL = "esdb-gater.v1"
log = logging.getLogger("worker")


class Connection:
    """JSON-RPC 2.0 over one WebSocket: our calls, and the gateway's."""

    def __init__(self, websocket, handle):
        self._websocket = websocket
        self._handle = handle
        self._last_id = 0
        self._answers = {}

    def call(self, method, params):
        """Calls the gateway. What comes before the answer is served meanwhile. Raises `StoreError`."""
        self._last_id += 1
        call_id = self._last_id
        self._send({"jsonrpc": "2.0", "id": call_id, "method": method, "params": params})
        while call_id not in self._answers:
            self.serve_one()
        answer = self._answers.pop(call_id)
        if "error" in answer:
            error = answer["error"]
            details = dict(error.get("data") or {})
            details.pop("retriable", None)
            raise StoreError(details.pop("code", "internal"), error.get("message", ""), **details)
        return answer.get("result")

    def notify(self, method, params):
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def serve_one(self):
        """Takes the next message and answers it."""
        try:
            message = json.loads(self._websocket.receive(), parse_float=finite, parse_constant=finite)
        except (ValueError, RecursionError):
            self._send(failure(None, invalid("json", "the message is no JSON"), -32700))
            return
        if isinstance(message, list) and message:
            answers = [answer for answer in map(self._take, message) if answer is not None]
            if answers:
                self._send(answers)
        else:
            answer = self._take(message)
            if answer is not None:
                self._send(answer)

    def _take(self, message):
        """The answer to one message; None where none is due."""
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            return failure(None, invalid("request", "the message is no JSON-RPC 2.0"), -32600)
        method = message.get("method")
        if method is None:
            self._answers[message.get("id")] = message
            return None
        if "id" not in message:
            # `hello` and the like: nothing that a worker has to act upon.
            return None
        call_id = message["id"]
        try:
            return {"jsonrpc": "2.0", "id": call_id, "result": self._handle(str(method), message.get("params", {}))}
        except StoreError as error:
            return failure(call_id, error)
        except (KeyError, TypeError, AttributeError) as error:
            return failure(call_id, invalid("params", f"the parameters do not fit: {error!r}"))
        except Exception:  # A bug here must not end the worker; the gateway learns no more than that.
            log.exception("%s failed", method)
            return failure(call_id, StoreError("internal", "an unexpected error; the worker's log has its cause"))

    def _send(self, message):
        # ASCII only, so that a lone surrogate in an event cannot break the frame.
        self._websocket.send(json.dumps(message, separators=(",", ":"), allow_nan=False))


def failure(call_id, error, number=None):
    if number is None:
        number = {"invalid_argument": -32602, "not_supported": -32601}.get(error.code, -32000)
    data = {"code": number, "message": str(error), "data": error.data()}
    return {"jsonrpc": "2.0", "id": call_id, "error": data}


class Worker:
    """Keeps stores registered at a gateway, over as many connections as it takes."""

    def __init__(self, url, stores, token=None):
        self._url = url
        self._stores = {store.store_id: store for store in stores}
        self._token = token
        self._worker_id = str(uuid.uuid4())
        self._told = {}

    def run(self):
        """Serves for ever. Raises `StoreError` when the gateway refuses the worker for good."""
        delay = 0.1
        while True:
            began = time.monotonic()
            try:
                self._serve()
            except (OSError, WebSocketClosed) as error:
                log.warning("not connected: %s", error)
            except StoreError as error:
                if error.code not in RETRIABLE:
                    raise
                log.warning("not registered: %s", error)
            # What held for a while begins anew; else twice as long, and never all workers at once.
            delay = 0.1 if time.monotonic() - began > 10 else min(delay * 2, 10)
            time.sleep(delay * random.uniform(1, 1.25))

    def _serve(self):
        """One connection, until it breaks."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        websocket = WebSocket(self._url, headers, SUBPROTOCOL)
        try:
            connection = Connection(websocket, self._call)
            for store in self._stores.values():
                registered = connection.call("registerWorker", self._registration(store))
                log.info("serving store %s at node %s", store.store_id, registered["nodeId"])
            self._told = {}
            while True:
                self._tell_commits(connection)
                connection.serve_one()
        finally:
            websocket.close(1001, "the worker goes away")

    def _registration(self, store):
        return {
            "storeId": store.store_id,
            "storeUuid": store.store_uuid,
            "workerId": self._worker_id,
            "methods": store.optional_methods,
        }

    def _call(self, method, params):
        if not isinstance(params, dict):
            raise invalid("params", "parameters are given by name")
        store = self._stores.get(params.get("storeId"))
        if store is None:
            raise StoreError("store_not_found", f"this worker does not serve {params.get('storeId')!r}")
        return store.call(method, params)

    def _tell_commits(self, connection):
        """After the answer: who appended need not wait for what only hurries the feed."""
        for store_id, store in self._stores.items():
            if store.position > self._told.get(store_id, 0):
                self._told[store_id] = store.position
                connection.notify("committed", {"storeId": store_id, "position": store.position})


def main():
    parser = argparse.ArgumentParser(description="Serves an event store in memory through a gateway of esdb-gater.")
    parser.add_argument("--url", default="ws://127.0.0.1:4590/v1/ws", help="the gateway (default: %(default)s)")
    parser.add_argument("--store", action="append", help="a store to serve; may be repeated (default: default)")
    parser.add_argument("--token-file", help="a file with a capability token for worker/register")
    options = parser.parse_args()

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    # JSON that a gateway lets pass is at most 128 levels deep; each level takes a call or two here.
    sys.setrecursionlimit(10_000)
    # Ends like Ctrl-C: the connection is closed on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        token = read_token(options.token_file) if options.token_file else None
        Worker(options.url, [Store(name) for name in options.store or ['default']], token).run()
    except KeyboardInterrupt:
        return 0
    except StoreError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


def read_token(path):
    with open(path, encoding="ascii") as file:
        token = file.read().strip()
    if not token or not all(33 <= ord(character) <= 126 for character in token):
        raise ValueError(f"{path} does not hold a token")
    return token


if __name__ == "__main__":
    sys.exit(main())
