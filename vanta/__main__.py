"""`python -m vanta`, and the command `vanta`."""

from vanta.commands import main

if __name__ == "__main__":
    main()
