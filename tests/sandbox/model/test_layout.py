"""A conversation as one run of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepseek_async.sandbox.model.layout import last_user_turn
from deepseek_async.sandbox.model.tokenizer import ASSISTANT, BOS, END_THINK, EOS, THINK, USER

if TYPE_CHECKING:
    from deepseek_async.sandbox.model import LanguageModel


def test_a_conversation_is_laid_out_turn_by_turn(model: LanguageModel) -> None:
    """Each role has its token; the prompt ends where the answer, or the thinking, begins."""
    encode = model.tokenizer.encode
    tokens = model.render([("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye")])
    assert tokens[0] == BOS
    assert tokens[-1] == ASSISTANT
    assert tokens[-2 - len(encode("Bye")) : -1] == [USER, *encode("Bye")]
    assert tokens.count(EOS) == 1
    assert model.render([("user", "Hi")], thinking=True)[-1] == THINK
    assert model.render([("critic", "Hi")]) == model.render([("user", "Hi")])


def test_the_last_user_message_is_what_may_be_copied(model: LanguageModel) -> None:
    """Not the system's, not an earlier answer's, not the reasoning; without a user all text is."""
    encode = model.tokenizer.encode
    tokens = model.render([("user", "First"), ("assistant", "Answer"), ("user", "Second"), ("tool", "Result")])
    assert last_user_turn(tokens) == tuple(encode("Second"))
    assert last_user_turn([*tokens, THINK, *encode("Hm"), END_THINK]) == tuple(encode("Second"))
    assert last_user_turn([BOS, *encode("Just text")]) == tuple(encode("Just text"))
