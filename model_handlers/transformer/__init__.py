"""The transformer under KServe: recall, slate and the page in the browser."""
