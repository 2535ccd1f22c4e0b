"""Appends to UmaDB from threads that share one client, each under a condition on its own tag."""

import json
import sys
import threading
import time

import umadb

port, writers, duration = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) / 1000


def connected():
    deadline = time.monotonic() + 20
    while True:
        try:
            client = umadb.Client(f"http://127.0.0.1:{port}")
            client.head()
            return client
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


client = connected()
counts = [0] * writers
failures = []


def write(writer, end):
    tag = f"writer:{writer}"
    query = umadb.Query([umadb.QueryItem(tags=[tag])])
    last = None
    try:
        while time.monotonic() < end:
            text = json.dumps({"writer": writer, "version": counts[writer], "text": ""})
            data = text[:-2] + "x" * (200 - len(text)) + '"}'
            event = umadb.Event("happened", data.encode(), tags=[tag])
            last = client.append([event], umadb.AppendCondition(query, last))
            counts[writer] += 1
    except Exception as error:
        failures.append(error)


start = time.monotonic()
threads = [threading.Thread(target=write, args=(index, start + duration)) for index in range(writers)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
seconds = time.monotonic() - start
if failures or client.head() != sum(counts):
    raise SystemExit(f"{failures[:1]}; the store has {client.head()} events, {sum(counts)} were acknowledged")
print(json.dumps({"appends": sum(counts), "seconds": seconds}))
