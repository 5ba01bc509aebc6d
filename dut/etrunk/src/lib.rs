//! E-Trunk: hello, election, member role, authentication, replay window.
