from forge_lib.lab.profiles import PROFILES
from forge_lib.models import embedded


def test_the_file_is_quantized_as_the_name_says():
    import llama_cpp

    file = embedded._gguf(PROFILES["cpu"].base_model.removeprefix(embedded.PREFIX))
    read = llama_cpp.Llama(str(file), vocab_only=True, verbose=False)
    assert read.metadata["general.file_type"] == str(llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_1)


def test_the_embedded_weights_are_not_described_as_the_hubs():
    assert "quantized to Q4_1" in embedded.describe_base(PROFILES["cpu"].base_model)
    assert embedded.describe_base("Qwen/Qwen3-8B") == "Qwen/Qwen3-8B"
