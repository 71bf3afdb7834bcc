"""Rows that are written to live tables: from containers of any library to messages, and what came of them."""
