/** The columns of a mean with its interval, in tables that are CSV. */
import type { Summary } from '../protocol/statistics.ts';

export const csvNames = (name: string): string[] => ['mean', 'low', 'high', 'n'].map((part) => `${name}_${part}`);

/** An empty cell where there is no value. */
export const csvCells = (score?: Summary) => [score?.mean, score?.ci95?.[0], score?.ci95?.[1], score?.n];
