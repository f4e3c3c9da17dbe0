"""`shortlist up` with a fault a minute: the service, the faults, the hour, and its report."""
