//! What a connector author imports: HTTP, auth, paging, limits, webhook signatures, tapes, the contract suite.
