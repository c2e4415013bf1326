"""Hot loops over columns; they know no meaning and do no I/O."""
