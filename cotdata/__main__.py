"""Makes `python -m cotdata` the command line."""

from cotdata.cli import main

if __name__ == "__main__":
    main()
