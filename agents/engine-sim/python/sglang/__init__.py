"""A stand-in for SGLang: `python -m sglang.launch_server` starts a simulated engine."""
