"""Errors, and the rules for the values that come in a call."""

import base64
import json
import math
import re
import uuid
from datetime import datetime, timedelta, timezone

RETRIABLE = {"timeout", "unavailable", "overloaded", "no_workers", "rate_limited"}
MAX_EVENT_BYTES = 1024 * 1024
MAX_SAFE_INTEGER = 2**53 - 1

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Control characters (C0, DEL, C1) and halves of surrogate pairs, which JSON can carry and UTF-8 cannot.
MEDIA_TYPE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ ;][ -~]*)?")
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class StoreError(Exception):
    """An error with a stable code of the contract, and what else it tells."""

    def __init__(self, code, message, **details):
        super().__init__(message)
        self.code = code
        self.details = details

    def data(self):
        """The `data` of the error on the wire."""
        return {**self.details, "code": self.code, "retriable": self.code in RETRIABLE}


def invalid(reason, message, **details):
    return StoreError("invalid_argument", message, reason=reason, **details)


def name(value, reason):
    """A stream id, an event type, a tag: 1 to 255 UTF-16 units without control characters."""
    if isinstance(value, str) and not FORBIDDEN.search(value):
        if 1 <= len(value.encode("utf-16-le")) // 2 <= 255:
            return value
    raise invalid(reason, f"{reason} must be 1 to 255 characters without control characters")


def stream_name(params):
    stream_id = name(params.get("streamId"), "stream_id")
    if stream_id in (".", "..", "$all"):
        raise invalid("stream_id", "stream_id must not be one of . .. $all")
    return stream_id


def milliseconds(value):
    """The Unix milliseconds of an RFC 3339 time."""
    try:
        if not RFC_3339.fullmatch(value):
            raise ValueError(value)
        since = datetime.fromisoformat(value.upper()) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    except (TypeError, ValueError):
        raise invalid("time", "time is an RFC 3339 time, such as 2026-01-31T12:00:00Z") from None
    return since // timedelta(milliseconds=1)


def whole(value, reason, least):
    """An integer. JSON has one kind of number, so that 1.0 is one."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not float(value).is_integer() or not least <= value <= MAX_SAFE_INTEGER:
        raise invalid(reason, f"{reason} is {value!r}, expected was a whole number from {least}")
    return int(value)


def bounded(value, reason):
    """The `count` or `limit` of a page."""
    if whole(value, reason, 1) > 1_000:
        raise invalid(reason, f"{reason} is {value}, expected was 1 to 1000")
    return int(value)


def expected_version(params):
    """A version, -1 (no stream), -2 (any) or -4 (stream exists)."""
    expected = whole(params.get("expectedVersion", -2), "expected_version", -4)
    if expected == -3:
        raise invalid("expected_version", "expectedVersion is -3, which means nothing")
    return expected


def checked_appends(params):
    """The appends to several streams, complete and checked. Those without events only check a version."""
    appends = params.get("appends")
    if not isinstance(appends, list) or not 1 <= len(appends) <= 1_000:
        raise invalid("appends", "a call has 1 to 1000 appends")
    if sum(len(one.get("events", [])) for one in appends) > 1_000:
        raise invalid("events", "a call has at most 1000 events in all")
    if len({one.get("streamId") for one in appends}) < len(appends):
        raise invalid("appends", "a call names each stream once")
    return [
        {
            "streamId": stream_name(one),
            "expectedVersion": expected_version(one),
            "events": new_events(one) if one.get("events") else [],
        }
        for one in appends
    ]


def checked_query(query):
    """A query: 1 to 1000 items, each with a type or a tag, and at most 10000 of them in all."""
    items = query.get("items") if isinstance(query, dict) else None
    if not isinstance(items, list) or not 1 <= len(items) <= 1_000:
        raise invalid("query", "a query has 1 to 1000 items")
    counts = [len(item.get("types") or []) + len(item.get("tags") or []) for item in items]
    if 0 in counts or sum(counts) > 10_000:
        raise invalid("query", "every item has a type or a tag, and there are at most 10000 of them")
    for item in items:
        for one in (item.get("types") or []) + (item.get("tags") or []):
            name(one, "query")
    return query


def new_events(params):
    """The events of an append, complete and checked: nothing is written when one of them is wrong."""
    events = params.get("events")
    if not isinstance(events, list) or not 1 <= len(events) <= 1_000:
        raise invalid("events", "an append takes 1 to 1000 events")
    return [new_event(event) for event in events]


def new_event(event):
    metadata, tags = event.get("metadata", {}), event.get("tags", [])
    if not isinstance(metadata, dict) or not isinstance(tags, list):
        raise invalid("events", "metadata is an object, and tags are a list")
    # Behind a gateway every event has an id already.
    event_id = event.get("id", str(uuid.uuid4()))
    if not isinstance(event_id, str) or not UUID.fullmatch(event_id):
        raise invalid("event_id", "the id of an event is a UUID")
    content = event_content(event)
    if json_bytes(event) > MAX_EVENT_BYTES:
        raise StoreError("payload_too_large", "an event has at most 1 MiB as JSON", maxBytes=MAX_EVENT_BYTES)
    return {
        "id": event_id,
        "type": name(event.get("type"), "event_type"),
        **content,
        "metadata": metadata,
        "tags": [name(tag, "event_tags") for tag in tags],
    }


def event_content(event):
    """What an event is about: JSON as `data`, or bytes as `dataBase64` with their `contentType`."""
    if ("data" in event) == ("dataBase64" in event) or ("contentType" in event) != ("dataBase64" in event):
        raise invalid("events", "an event has either data, or dataBase64 and contentType")
    if "data" in event:
        return {"data": event["data"]}
    text, content_type = event["dataBase64"], event["contentType"]
    try:
        canonical = base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except (TypeError, ValueError):
        canonical = False
    if not canonical:
        raise invalid("data_base64", "dataBase64 is base64 with padding, in its canonical form")
    if not isinstance(content_type, str) or len(content_type) > 255 or not MEDIA_TYPE.fullmatch(content_type):
        raise invalid("content_type", "contentType is a media type, such as image/png")
    return {"dataBase64": text, "contentType": content_type}


def json_bytes(value):
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def finite(text):
    """A number as `json.loads` reads it, but for NaN, Infinity and 1e999, which JSON cannot carry back."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no JSON number")
    return value


def same_json(one, other):
    """Equality of two JSON values: True is not 1 there, though it is in Python, and 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    numbers = isinstance(one, (int, float)) and isinstance(other, (int, float))
    return (numbers or type(one) is type(other)) and one == other
