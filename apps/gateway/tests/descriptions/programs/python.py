"""Calls a gateway with the client that openapi-python-client has generated."""

import json
import sys

from gater_client import Client
from gater_client.api.channels import publish
from gater_client.api.streams import append_events, get_events
from gater_client.models import (
    AppendEventsJsonBody,
    AppendResult,
    Problem,
    PublishBody,
    PublishChannel,
    StreamPage,
)

client = Client(base_url=sys.argv[1])
STREAM = ("default", "generated-python")


def body(expected_version, *data):
    events = [{"type": "Counted", "data": one} for one in data]
    return AppendEventsJsonBody.from_dict({"expectedVersion": expected_version, "events": events})


appended = append_events.sync(*STREAM, client=client, body=body(-1, {"n": 1}, "text"))
assert isinstance(appended, AppendResult), appended
page = get_events.sync(*STREAM, client=client, from_=0)
assert isinstance(page, StreamPage), page
message = PublishBody(topic="generated.python", message={"n": 1})
published = publish.sync(PublishChannel.SYSTEM, client=client, body=message)
refused = append_events.sync(*STREAM, client=client, body=body(7, 1))
assert isinstance(refused, Problem), refused

print(
    json.dumps(
        {
            "appended": {
                "version": appended.version,
                "count": appended.count,
                "duplicate": appended.duplicate,
            },
            "read": [event.data for event in page.events],
            "delivered": published.delivered,
            "error": {
                "code": refused.code.value,
                "status": refused.status,
                "retriable": refused.retriable,
            },
        }
    )
)
