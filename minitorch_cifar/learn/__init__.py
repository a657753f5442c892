"""Training, testing and using the networks of `models.py`: everything of the command line but its looks.

`settings.py` says what is trained, `data.py` opens pictures, `training.py` runs epochs, `evaluation.py`
tests, `prediction.py` looks at single pictures, `checkpoint.py` and `run_folder.py` keep it all on disk.
Nothing here prints: what happens is told to a `Reporter`, and what is wrong with the user's wishes is raised
as a `UserError`.
"""
