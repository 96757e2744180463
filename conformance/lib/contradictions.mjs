// Where two judges contradict each other, `contradictions.json` says which side Vestry takes; the other side's
// complaint is then expected. The table may only shrink.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const table = JSON.parse(readFileSync(fileURLToPath(new URL('../contradictions.json', import.meta.url)), 'utf8'));
const met = new Set();

/** Whether a fault is one that the table expects. */
export const contradiction = ({ judge, at, path, keyword }) => {
  const row = table.findIndex(
    row => row.judge === judge && row.keyword === keyword
      && new RegExp(`^(?:${row.at})$`).test(at) && new RegExp(`^(?:${row.path})$`).test(path),
  );
  if (row >= 0) met.add(row);
  return row >= 0;
};

/** The rows that were needed so far. */
export const contradictionsMet = () => [...met];
export const contradictionsKnown = table.length;
