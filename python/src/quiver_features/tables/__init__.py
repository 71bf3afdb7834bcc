"""Tables of a repository: keyed rows that a server looks up."""

from .forms import round_vectors
from .problems import TableError, TableProblem
from .writing import TableColumn, WrittenTable, write_table

__all__ = ["TableColumn", "TableError", "TableProblem", "WrittenTable", "round_vectors", "write_table"]
