"""What sklearn-onnx makes of a step, in an environment that has it; it runs beside ask.py."""

OPSET = 21  # what skiff's converter and worker know
# That distances are an operator, not a loop; and probabilities an array. Not all steps have these.
OPTIONS = ({"optim": "cdist", "zipmap": False}, {"optim": "cdist"}, {"zipmap": False}, {})


def convert(step, method, width):
    """(the graph of float64 [rows, width], its output for the method, sklearn-onnx's version)."""
    import onnx.defs
    import skl2onnx
    from skl2onnx.common.data_types import DoubleTensorType

    opset, error = min(OPSET, onnx.defs.onnx_opset_version(), latest()), None
    for options in OPTIONS:
        try:
            model = skl2onnx.to_onnx(
                step,
                initial_types=[("X", DoubleTensorType([None, width]))],
                options={id(step): dict(options)} if options else None,
                target_opset=opset,
            )
        except Exception as err:
            # What it says of an option that a step does not have is not the reason.
            error = err if error is None or not options else error
            continue
        outputs = [output.name for output in model.graph.output]
        return model.SerializeToString(), outputs[0 if method == "predict" else -1], skl2onnx.__version__
    raise error


def latest():
    """The latest opset that this sklearn-onnx knows."""
    try:
        from skl2onnx.proto import get_latest_tested_opset_version

        return get_latest_tested_opset_version()
    except ImportError:
        return OPSET
