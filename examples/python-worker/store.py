"""An event store in memory: all that a worker of esdb-gater has to do, and what it may do besides."""

import time
import uuid
from bisect import bisect_right
from datetime import datetime, timezone

from values import (
    StoreError,
    bounded,
    checked_appends,
    checked_query,
    expected_version,
    invalid,
    json_bytes,
    milliseconds,
    name,
    new_events,
    same_json,
    stream_name,
    whole,
)

NO_STREAM, ANY_VERSION, STREAM_EXISTS = -1, -2, -4
MAX_PAGE_BYTES = 8 * 1024 * 1024


class Stream:
    """The events of one stream, and through which version they were deleted."""

    def __init__(self):
        self.events = []
        self.hidden_through = -1

    @property
    def version(self):
        return len(self.events) - 1

    @property
    def deleted(self):
        return bool(self.events) and self.hidden_through == self.version


class Store:
    """All of it is called by one thread, so that every call is atomic."""

    def __init__(self, store_id):
        self.store_id = store_id
        self.store_uuid = str(uuid.uuid4())
        self._streams = {}
        self._all = []
        self._sizes = []
        self._by_id = {}
        self._epoch_us = 0
        self._snapshots = {}
        self._required = {
            "appendEvents": self.append_events,
            "getEvents": self.get_events,
            "getVersion": self.get_version,
            "streamExists": self.stream_exists,
            "getStreams": self.get_streams,
            "readAll": self.read_all,
            "quickHealthCheck": lambda params: {},
        }
        self._optional = {
            "deleteStream": self.delete_stream,
            "queryEvents": self.read_all,
            "versionAt": self.version_at,
            "appendToStreams": self.append_to_streams,
            "recordSnapshot": self.record_snapshot,
            "readSnapshot": self.read_snapshot,
            "listSnapshots": self.list_snapshots,
            "deleteSnapshot": self.delete_snapshot,
        }

    @property
    def position(self):
        return len(self._all)

    @property
    def optional_methods(self):
        """What is served besides what every worker must serve."""
        return list(self._optional)

    def call(self, method, params):
        """One call by its name. Raises `StoreError`."""
        serve = self._required.get(method) or self._optional.get(method)
        if serve is None:
            raise StoreError("not_supported", f"this worker does not serve {method[:64]!r}")
        return serve(params)

    # Streams

    def append_events(self, params):
        stream_id, expected, new = stream_name(params), expected_version(params), new_events(params)
        condition = checked_condition(params)
        duplicate = self._duplicate(stream_id, new)
        if duplicate is not None:
            return duplicate
        check_version(stream_id, self._stream(stream_id), expected)
        self._check_condition(condition)
        return self._append({"streamId": stream_id, "events": new})

    def append_to_streams(self, params):
        appends, condition = checked_appends(params), checked_condition(params)
        found = [self._duplicate(one["streamId"], one["events"]) for one in appends]
        known = [result for result in found if result is not None]
        if known and len(known) < sum(1 for one in appends if one["events"]):
            raise invalid("id_conflict", "some appends are there already, others are not; nothing was written")
        if known:
            return {"results": [result or self._checked(one, True) for one, result in zip(appends, found)]}
        for one in appends:
            check_version(one["streamId"], self._stream(one["streamId"]), one["expectedVersion"])
        self._check_condition(condition)
        return {"results": [self._append(one) for one in appends]}

    def get_events(self, params):
        stream_id, direction = stream_name(params), params.get("direction", "forward")
        if direction not in ("forward", "backward"):
            raise invalid("direction", f"direction is {direction!r}, expected was forward or backward")
        backward = direction == "backward"
        newest_of_all = -1 if backward else 0
        start = whole(params.get("startVersion", newest_of_all), "start_version", newest_of_all)
        count = bounded(params.get("count", 100), "count")
        stream = self._readable(stream_id)
        oldest, newest = stream.hidden_through + 1, stream.version
        if backward:
            versions = range(newest if start == -1 else min(start, newest), oldest - 1, -1)
        else:
            versions = range(max(start, oldest), newest + 1)
        events = self._page(stream.events[version] for version in versions[:count])
        page = {"events": events, "version": stream.version}
        return page if len(events) == len(versions) else {**page, "next": versions[len(events)]}

    def get_version(self, params):
        stream = self._streams.get(stream_name(params))
        return {"version": NO_STREAM if stream is None else stream.version}

    def version_at(self, params):
        until = milliseconds(params.get("time"))
        stream = self._streams.get(stream_name(params))
        # Times never decrease, so the events up to a time are the first of the stream.
        events = [] if stream is None else stream.events
        return {"version": bisect_right(events, until, key=lambda event: event["epochUs"] // 1_000) - 1}

    def stream_exists(self, params):
        stream = self._streams.get(stream_name(params))
        return {"exists": stream is not None and not stream.deleted}

    def get_streams(self, params):
        prefix, after = params.get("prefix", ""), params.get("after")
        limit = bounded(params.get("limit", 100), "limit")
        found = [key for key, stream in self._streams.items() if key.startswith(prefix) and not stream.deleted]
        found.sort(key=utf8)
        start = 0 if after is None else bisect_right(found, utf8(after), key=utf8)
        streams = found[start : start + limit]
        return {"streams": streams, **({"next": streams[-1]} if start + limit < len(found) else {})}

    def delete_stream(self, params):
        stream_id, expected = stream_name(params), expected_version(params)
        stream = self._readable(stream_id)
        if expected not in (ANY_VERSION, STREAM_EXISTS, stream.version):
            raise wrong_version(stream_id, expected, stream.version)
        stream.hidden_through = stream.version
        return {"version": stream.version}

    # The whole store

    def read_all(self, params):
        after, limit = whole(params.get("after", 0), "after", 0), bounded(params.get("limit", 100), "limit")
        query = checked_query(params["query"]) if "query" in params else None
        # Position p stands at index p - 1, so that what follows `after` begins at index `after`.
        found = (self._all[index] for index in range(after, len(self._all)))
        if query is not None:
            found = (event for event in found if matches(query, event))
        # One more than asked for tells whether there is a next page.
        candidates = [event for _, event in zip(range(limit + 1), found)]
        events = self._page(candidates[:limit])
        if len(events) == len(candidates):
            return {"events": events, "lastPosition": self.position}
        return {"events": events, "lastPosition": events[-1]["position"], "next": events[-1]["position"]}

    # Snapshots

    def record_snapshot(self, params):
        version = whole(params.get("version"), "version", 0)
        self._snapshots.setdefault(snapshot_key(params), {})[version] = {
            "sourceUuid": params["sourceUuid"],
            "streamUuid": params["streamUuid"],
            "version": version,
            "record": params["record"],
            "metadata": params.get("metadata", {}),
            "timestamp": iso(time.time_ns() // 1_000),
        }
        return {}

    def read_snapshot(self, params):
        kept = self._snapshots.get(snapshot_key(params), {})
        version = whole(params["version"], "version", 0) if "version" in params else max(kept, default=None)
        if version not in kept:
            details = {} if version is None else {"version": version}
            raise StoreError("snapshot_not_found", "there is no such snapshot", **details)
        return kept[version]

    def list_snapshots(self, params):
        kept = self._snapshots.get(snapshot_key(params), {})
        start, count = whole(params.get("startVersion", -1), "start_version", -1), bounded(params.get("count", 100), "count")
        versions = [version for version in sorted(kept, reverse=True) if start == -1 or version <= start]
        snapshots = fitting([kept[version] for version in versions[:count]], json_bytes)
        more = len(snapshots) < len(versions)
        return {"snapshots": snapshots, **({"next": versions[len(snapshots)]} if more else {})}

    def delete_snapshot(self, params):
        if "version" not in params:
            return {"deleted": bool(self._snapshots.pop(snapshot_key(params), None))}
        kept = self._snapshots.get(snapshot_key(params), {})
        return {"deleted": kept.pop(whole(params.get("version"), "version", 0), None) is not None}

    # Parts of the above

    def _duplicate(self, stream_id, new):
        """The first result when all ids are there already; None when none is."""
        ids = [event["id"].lower() for event in new]
        if len(set(ids)) < len(ids):
            raise invalid("id_conflict", "an event id comes twice in one append; nothing was written")
        known = [self._by_id[stream_id, key] for key in ids if (stream_id, key) in self._by_id]
        if not known:
            return None
        if len(known) < len(new):
            raise invalid("id_conflict", "some event ids are there already, others are not; nothing was written")
        for old, event in zip(known, new):
            if not same_content(old, event):
                message = f"the event id {event['id']} already exists with other content; nothing was written"
                raise invalid("id_conflict", message, id=event["id"])
        versions = [event["version"] for event in known]
        if versions != sorted(versions):
            raise invalid("id_conflict", "the event ids stand in the stream in another order; nothing was written")
        last = known[-1]
        return {"version": last["version"], "position": last["position"], "count": len(new), "duplicate": True}

    def _stream(self, stream_id):
        return self._streams.get(stream_id, Stream())

    def _checked(self, append, duplicate):
        """The result of an append without events, which only checks the version of its stream."""
        version, expected = self._stream(append["streamId"]).version, append["expectedVersion"]
        return {"version": expected if duplicate and expected >= 0 else version, "count": 0, "duplicate": duplicate}

    def _append(self, append):
        stream_id, new = append["streamId"], append["events"]
        if not new:
            return self._checked(append, False)
        stream = self._streams.setdefault(stream_id, Stream())
        for event in new:
            self._record(stream_id, stream, event)
        return {"version": stream.version, "position": self.position, "count": len(new), "duplicate": False}

    def _check_condition(self, condition):
        if condition is None:
            return
        query, after = condition
        for event in self._all[after:]:
            if matches(query, event):
                position = event["position"]
                message = f"the event at position {position} matches the condition"
                raise StoreError("append_condition_failed", message, position=position)

    def _record(self, stream_id, stream, event):
        # The clock may go back, the times in a store may not.
        self._epoch_us = max(self._epoch_us, time.time_ns() // 1_000)
        recorded = {
            **event,
            "storeId": self.store_id,
            "streamId": stream_id,
            "version": stream.version + 1,
            "position": self.position + 1,
            "timestamp": iso(self._epoch_us),
            "epochUs": self._epoch_us,
        }
        stream.events.append(recorded)
        self._all.append(recorded)
        self._sizes.append(json_bytes(recorded))
        self._by_id[stream_id, recorded["id"].lower()] = recorded

    def _page(self, events):
        return fitting(events, lambda event: self._sizes[event["position"] - 1])

    def _readable(self, stream_id):
        stream = self._streams.get(stream_id)
        if stream is None:
            raise StoreError("stream_not_found", f"there is no stream {stream_id!r}", streamId=stream_id)
        if stream.deleted:
            raise deleted(stream_id, stream)
        return stream


def fitting(items, size_of):
    """As many of the items as fit into 8 MiB of JSON, at least one."""
    taken, size = [], 0
    for item in items:
        size += size_of(item)
        if taken and size > MAX_PAGE_BYTES:
            break
        taken.append(item)
    return taken


def matches(query, event):
    """Items are OR-ed; within one the types are OR-ed and the tags AND-ed."""
    for item in query.get("items", []):
        types, tags = item.get("types"), item.get("tags")
        if (not types or event["type"] in types) and (not tags or set(tags) <= set(event["tags"])):
            return True
    return False


def checked_condition(params):
    """The query and the position of a condition; None without one."""
    condition = params.get("condition")
    if condition is None:
        return None
    return checked_query(condition.get("failIfEventsMatch")), whole(condition.get("after", 0), "position", 0)


def check_version(stream_id, stream, expected):
    if expected in (ANY_VERSION, stream.version) or (expected == NO_STREAM and stream.deleted):
        return
    if expected == STREAM_EXISTS and stream.events:
        if stream.deleted:
            raise deleted(stream_id, stream)
        return
    raise wrong_version(stream_id, expected, stream.version)


def wrong_version(stream_id, expected, actual):
    message = f"stream {stream_id!r} is at version {actual}, expected was {expected}"
    return StoreError("wrong_expected_version", message, streamId=stream_id, expected=expected, actual=actual)


def deleted(stream_id, stream):
    message = f"stream {stream_id!r} was deleted at version {stream.version}"
    return StoreError("stream_deleted", message, streamId=stream_id, version=stream.version)


def same_content(old, event):
    members = ("type", "data", "dataBase64", "contentType", "metadata", "tags")
    return all((member in old) == (member in event) and same_json(old.get(member), event.get(member)) for member in members)


def snapshot_key(params):
    return name(params.get("sourceUuid"), "source_uuid"), name(params.get("streamUuid"), "stream_uuid")


def iso(epoch_us):
    seconds, micros = divmod(epoch_us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{micros // 1_000:03d}Z"


def utf8(text):
    return text.encode("utf-8", "surrogatepass")
