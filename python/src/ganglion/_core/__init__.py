"""What both clients share: it does no input and no output, and reads no clock but where a wait is measured."""
