// axios asks for these as it loads, for adapters that are not used here. Asking makes Node load its own HTTP client, undici: 6 MB
// and 7 ms. Must be imported before axios.
for (const name of ["FormData", "Request", "Response", "fetch"]) Reflect.deleteProperty(globalThis, name);
