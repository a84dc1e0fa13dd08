//! Runs recorded vectors of the reference packages against agentspan.
