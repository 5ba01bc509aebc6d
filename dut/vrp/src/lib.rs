//! VRP-style configuration files, pair check and display output.
