"""What the API answers, as models: the shapes of the API's own document, which tests hold real answers against.

Views do not use them: an answer is made from rows, by hand, and is on its way sooner than a model could check it.
"""
