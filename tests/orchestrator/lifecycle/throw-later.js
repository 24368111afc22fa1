// Loaded before the command: a defect that shows after so many milliseconds.
setTimeout(() => {
  throw new Error('a defect, for a test');
}, Number(process.env.THROW_AFTER));
