/** What the searches of an arm found, component by component, beside θ that are known. */
import { join } from 'node:path';
import { componentNames, thetaToAction, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { summarise, withInterval } from '../../protocol/statistics.ts';
import { writeWhole } from '../../protocol/whole-file.ts';
import { coloursOf, writeChart } from '../figures/chart.ts';
import { markdownTable } from '../markdown.ts';
import type { Figure } from './study.ts';

/** A component of θ as the figure shows it: a number, or a probability of a simplex. */
interface Component {
  readonly name: string;
  /** Such as `0.02..0.5` with its unit; empty for a probability. */
  readonly range: string;
  readonly valueIn: (theta: Theta) => number;
  /** Where it is between low, 0, and high, 1, on the scale of the action; of a probability, itself. */
  readonly placeIn: (theta: Theta) => number;
}

/** @throws {RangeError} for a parameter that has no number */
function componentsOf(parameters: readonly Parameter[]): Component[] {
  const own = (theta: Theta): Theta => Object.fromEntries(parameters.map(({ name }) => [name, theta[name]!]));
  return parameters.flatMap((p): Component[] => {
    if (p.kind === 'simplex') {
      return componentNames(p).map((name, i) => {
        const probability = (theta: Theta) => (theta[p.name] as number[])[i]!;
        return { name, range: '', valueIn: probability, placeIn: probability };
      });
    }
    if (p.kind !== 'continuous' && p.kind !== 'integer') {
      throw new RangeError(`${p.name}: expected a parameter with numbers, got a ${p.kind} one`);
    }
    const { name, low, high, unit, slice } = p;
    return [
      {
        name,
        range: `${low}..${high}${unit === '1' ? '' : ` ${unit}`}`,
        valueIn: (theta) => theta[name] as number,
        placeIn: (theta) => (thetaToAction(parameters, own(theta))[slice[0]]! + 1) / 2,
      },
    ];
  });
}

/**
 * Where in their ranges the searches of an arm ended, as `learned-theta.svg` and `.png`; `learned-theta.md` has the
 * numbers.
 *
 * @param known θ to compare with, by what they are called
 */
export function learnedThetaFigure(
  arm: string,
  parameters: readonly Parameter[],
  known: Readonly<Record<string, Theta>>,
): Figure {
  const components = componentsOf(parameters);
  return {
    async draw(evidence, folder) {
      const path = join(folder, 'learned-theta');
      const { title } = evidence.arms()[arm]!;
      const learned = evidence.learned(arm);
      await drawPlaces(`What ${title} found`, components, learned, known, path);
      const references = Object.values(known);
      const rows = components.map(({ name, range, valueIn, placeIn }) => {
        const values = summarise(learned.map(valueIn));
        const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(values.mean) || 1)));
        const places = summarise(learned.map(placeIn));
        const shown = (theta: Theta) => Number(valueIn(theta).toPrecision(3));
        return [name, range, ...references.map(shown), withInterval(values, digits), withInterval(places, 2)];
      });
      const text = [
        `# What ${title} found`,
        '',
        'Mean ± half of the 95 % interval over the searches: in the parameter’s unit, and as its place between the lowest value, 0, and the highest, 1 (of a probability, itself).',
        '',
        ...markdownTable(['component', 'range', ...Object.keys(known), 'learned', 'place of the learned'], rows, 2),
        '',
      ];
      writeWhole(`${path}.md`, text.join('\n'));
    },
  };
}

/** A row for each component: a point for each search, and a tick for each known θ. */
async function drawPlaces(
  title: string,
  components: readonly Component[],
  learned: readonly Theta[],
  known: Readonly<Record<string, Theta>>,
  path: string,
): Promise<void> {
  const names = ['a search', ...Object.keys(known)];
  const colours = coloursOf(names.length);
  const hasProbabilities = components.some(({ range }) => range === '');
  const x = {
    field: 'place',
    type: 'quantitative' as const,
    scale: { domain: [0, 1] as number[] },
    title: `from the lowest value, 0, to the highest, 1${hasProbabilities ? '; probabilities as they are' : ''}`,
  };
  const y = { field: 'component', type: 'nominal' as const, title: null, sort: components.map(({ name }) => name) };
  const layerOf = (thetas: readonly Theta[], i: number) => {
    const legend = { orient: 'bottom' as const, symbolType: i === 0 ? 'circle' : 'square' };
    const color = { scale: { domain: [names[i]!], range: [colours[i]!] }, legend };
    return {
      data: {
        values: thetas.flatMap((theta) =>
          components.map(({ name, placeIn }) => ({ component: name, what: names[i]!, place: placeIn(theta) })),
        ),
      },
      mark:
        i === 0
          ? { type: 'point' as const, filled: true, size: 45, opacity: 0.6 }
          : { type: 'tick' as const, thickness: 2.5, size: 18 - 5 * i }, // the later ones do not hide the earlier ones
      encoding: { x, y, color: { field: 'what', type: 'nominal' as const, title: null, ...color } },
    };
  };
  const ticks = Object.values(known).map((theta, i) => layerOf([theta], i + 1));
  await writeChart(
    {
      title: { text: title, anchor: 'start' },
      width: 460,
      height: { step: 18 },
      layer: [...ticks, layerOf(learned, 0)],
      resolve: { scale: { color: 'independent' } },
    },
    path,
  );
}
