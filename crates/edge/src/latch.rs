//! Symmetric RTP.
