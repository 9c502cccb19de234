"""The reference of the API: one OpenAPI document, made from the routes, the schemas and a description of each view.

Each resource has a module here that describes its calls. Nothing of it is loaded before somebody asks for the document.
"""
