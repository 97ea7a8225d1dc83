"""`make bench`: figures of the generator, the official sizes and the bridge on this machine."""

from __future__ import annotations

import argparse

from tests.benchmarks import bridge, generator, modes, official, upscale

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="embedded", help="model id, or the folder of a model")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    generator.main(arguments.model, arguments.device)
    official.main(["--repeats", "1", "--large"])
    modes.main([])
    upscale.main([])
    bridge.main()
