// Notes which methods of an SDK were called, and how the calls ended; the SDK itself stays as it is.

/** Names every method of a client's API classes: `{ property, class, method }`. */
export const methodsOf = clerk => {
  const methods = [];
  for (const property of Object.keys(clerk)) {
    const api = clerk[property];
    if (api === null || typeof api !== 'object' || property === 'telemetry') continue;
    for (const method of Object.getOwnPropertyNames(Object.getPrototypeOf(api))) {
      if (method !== 'constructor') methods.push({ property, class: api.constructor.name, method });
    }
  }
  return methods;
};

/** A view of the client whose calls go through to it and are noted in `calls`. */
export const recorded = (clerk, calls) => {
  const note = (name, outcome) => {
    const entry = calls[name] ?? { succeeded: 0, refused: {} };
    if (outcome === undefined) entry.succeeded += 1;
    else entry.refused[outcome] = (entry.refused[outcome] ?? 0) + 1;
    calls[name] = entry;
  };
  const noted = (name, call) => async (...parameters) => {
    try {
      const value = await call(...parameters);
      note(name);
      return value;
    } catch (error) {
      note(name, error.errors?.[0]?.code ?? error.name);
      throw error;
    }
  };
  const view = { authenticateRequest: noted('authenticateRequest', clerk.authenticateRequest) };
  for (const { property, method } of methodsOf(clerk)) {
    view[property] ??= {};
    view[property][method] = noted(`${property}.${method}`, (...parameters) => clerk[property][method](...parameters));
  }
  return view;
};
