"""Uses the client that openapi-python-client made: searches, looks at one, plans, runs, and follows the operation.

follow.py URL SERVICE
"""

import sys
import time

from dead_letter_client import Client
from dead_letter_client.api.dead_letters import get_dead_letter, get_dead_letter_body, search_dead_letters
from dead_letter_client.api.operations import (
    create_operation,
    create_plan,
    get_operation,
    list_operation_items,
    pause_operation,
)
from dead_letter_client.models import (
    DeadLetteredMessageDetails,
    DeadLetteredMessages,
    DeadLetterStatus,
    ErrorViewModel,
    Filter,
    Operation,
    OperationDetails,
    OperationItems,
    OperationState,
    Outcome,
    Plan,
    ProblemType,
    RedeliverOperation,
    RedeliverOperationKind,
    RunPlan,
)
from dead_letter_client.types import File


def must(kind, value):
    assert isinstance(value, kind), f"a {kind.__name__} was expected: {value}"
    return value


def main(url, service):
    client = Client(base_url=url)
    page = must(DeadLetteredMessages, search_dead_letters.sync(client=client, service=service))
    assert page.total.value == 1, page
    letter = page.messages[0]
    assert letter.status == DeadLetterStatus.DEAD, letter
    details = must(DeadLetteredMessageDetails, get_dead_letter.sync(letter.id, client=client))
    assert details.body.content == '{"order":1}', details.body
    assert must(File, get_dead_letter_body.sync(letter.id, client=client)).payload.read() == b'{"order":1}'

    request = RedeliverOperation(
        kind=RedeliverOperationKind.REDELIVER, filter_=Filter(service=service), note="by Python"
    )
    plan = must(Plan, create_plan.sync(client=client, body=request))
    assert plan.total == 1, plan
    run = must(Operation, create_operation.sync(client=client, body=RunPlan(plan_id=plan.id), idempotency_key="once"))
    assert run.id == plan.id, run
    operation = must(OperationDetails, get_operation.sync(run.id, client=client))
    while operation.state != OperationState.COMPLETED:
        time.sleep(0.1)
        operation = must(OperationDetails, get_operation.sync(run.id, client=client))
    assert operation.outcomes.sent == 1, operation
    items = must(OperationItems, list_operation_items.sync(run.id, client=client))
    assert items.items[0].outcome == Outcome.SENT, items

    # Its errors are typed as well.
    refusal = must(ErrorViewModel, pause_operation.sync(run.id, client=client))
    assert refusal.type_ == ProblemType.WRONG_STATE, refusal
    other = RunPlan(plan_id=plan.id, note="another")
    refusal = must(ErrorViewModel, create_operation.sync(client=client, body=other, idempotency_key="once"))
    assert refusal.type_ == ProblemType.IDEMPOTENCY_KEY_REUSED, refusal
    print("redelivered")


main(*sys.argv[1:])
