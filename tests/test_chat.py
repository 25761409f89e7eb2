from forge_lib.chat import encode, encode_prompt, render
from forge_lib.tasks.sql.prompt import build_messages

MESSAGES = build_messages("books(id, title)", "How many books?")


def test_the_parts_are_the_prompt(tokenizer):
    whole = tokenizer(render(tokenizer, MESSAGES), add_special_tokens=False)["input_ids"]
    prompt = encode_prompt(tokenizer, MESSAGES)
    assert [*prompt.prefix, *prompt.rest] == whole


def test_only_the_answer_and_its_end_carry_loss(tokenizer):
    example = encode(tokenizer, MESSAGES, "SELECT COUNT(*) FROM books")
    trained = [i for i in example.labels if i != -100]
    assert tokenizer.decode(trained) == "SELECT COUNT(*) FROM books<|im_end|>"
    assert len(example.labels) == len(example.input_ids) == len(example)


def test_end_of_turn_is_among_the_labels_although_it_is_also_the_padding(tokenizer):
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    assert encode(tokenizer, MESSAGES, "SELECT 1").labels[-1] == tokenizer.eos_token_id


def test_end_of_turn_is_what_the_embedded_model_was_trained_to_stop_at(tokenizer):
    assert tokenizer.eos_token == "<|im_end|>"


def test_the_course_prompt_replaces_the_templates_default_system_prompt(tokenizer):
    assert "SmolLM" not in render(tokenizer, MESSAGES)


def test_questions_of_one_database_share_their_prefix(tokenizer):
    other = encode(tokenizer, build_messages("books(id, title)", "List the titles"), "SELECT title FROM books")
    assert other.prefix == encode(tokenizer, MESSAGES, "SELECT 1").prefix
