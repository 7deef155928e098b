// Deletes web globals that axios reads while it loads, for adapters that are not used here. Reading them makes Node load its HTTP
// client undici, which costs 6 MB and 7 ms. Must be imported before axios. Touches globalThis.
for (const name of ["FormData", "Request", "Response", "fetch"]) Reflect.deleteProperty(globalThis, name);
