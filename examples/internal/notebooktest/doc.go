// Package notebooktest checks files against the format of Jupyter notebooks, for tests.
package notebooktest
