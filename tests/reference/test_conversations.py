"""Conversations: which messages the trigger that numbers them accepts."""

from __future__ import annotations

import psycopg
import pytest

ONE, TWO = (f"00000000-0000-4000-8000-00000000{person}" for person in ("a003", "a004"))
OF_ONE, DELETED, MISSING = (
    f"00000000-0000-4000-8000-00000000{conversation}" for conversation in ("2101", "2103", "0000")
)


@pytest.mark.parametrize(("conversation", "person"), [(OF_ONE, TWO), (DELETED, ONE), (MISSING, ONE)])
def test_a_message_belongs_to_a_conversation_of_its_person(
    connection: psycopg.Connection, conversation: str, person: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="the conversation does not exist"):
        connection.execute(
            "insert into ai.conversation_messages (conversation_id, user_id, sequence_number, role, content) "
            "values (%s, %s, 1, 'user', 'A question.')",
            [conversation, person],
        )
