"""What a run meets on its machine: locks, full disks, a cluster's logs, and how long still."""
