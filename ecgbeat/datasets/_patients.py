"""Which recordings of MIT-BIH belong to one patient (layer 2)."""

from typing import Any

import numpy as np


def patients_of_records(record_names: Any) -> np.ndarray:
    """Return the patient of each MIT-BIH record, named by the patient's first record.

    The 48 records come from 47 patients: 201 and 202 are of the same man, as the
    database's own directory says (https://physionet.org/physiobank/database/html/mitdbdir/).
    The usual split DS1/DS2 of de Chazal et al. (2004) has one of them on each side.
    """
    names = np.asarray(record_names, dtype=str)
    return np.where(names == "202", "201", names)
