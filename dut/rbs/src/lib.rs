//! Remote backup service session and remote backup profile.
