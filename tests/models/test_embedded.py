from forge_lib.lab.profiles import PROFILES
from forge_lib.models import embedded


def test_the_file_is_quantized_as_the_name_says():
    import llama_cpp

    file = embedded._gguf(PROFILES["cpu"].base_model.removeprefix(embedded.PREFIX))
    read = llama_cpp.Llama(str(file), vocab_only=True, verbose=False)
    kind = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{embedded.QUANTIZATION}")
    assert read.metadata["general.file_type"] == str(kind)


def test_the_embedded_weights_are_not_described_as_the_hubs():
    assert embedded.QUANTIZATION in embedded.describe_base(PROFILES["cpu"].base_model)
    assert embedded.describe_base("Qwen/Qwen3-8B") == "Qwen/Qwen3-8B"
