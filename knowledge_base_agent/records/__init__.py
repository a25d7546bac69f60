"""What is remembered: the history of tasks, runs, confirmations and the audit, in SQL; progress and logs in Redis."""
