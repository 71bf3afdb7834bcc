"""Tables of a repository: keyed rows that a server looks up."""

from .problems import TableError, TableProblem
from .writing import TableColumn, WrittenTable, write_table

__all__ = ["TableColumn", "TableError", "TableProblem", "WrittenTable", "write_table"]
