import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { useId } from 'react';
import { deadLetterTranslationRef } from '../translation';
import { sayCount, sayShare } from './Count';
import styles from './Donut.module.css';
import { Fill, fillOf } from './DonutFill';

/** A part of the whole. */
export interface Slice {
  name: string;
  count: number;
}

/** More are put together as the others. */
const SLICES = 6;
const SIZE = 160;
const RADIUS = 58;
const RING = 34;
/** Each part is seen, however small: in parts of the circle. */
const NARROWEST = 0.008;

interface DonutProps {
  slices: Slice[];
  /** What the whole is, such as "Dead letters by service". */
  label: string;
}

/** The shares of a whole as a ring, with a legend that says them in numbers; told apart by pattern as well as colour. */
export function Donut({ slices, label }: DonutProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const id = useId();
  const total = slices.reduce((sum, each) => sum + each.count, 0);
  const shown = gather(slices, count => t('squad.others', { count }));
  const said = shown.map(
    each => `${each.name} ${sayShare(each.count / total)}`,
  );
  return (
    <figure className={styles.figure}>
      <svg
        className={styles.ring}
        viewBox={`0 0 ${SIZE} ${SIZE}`}
        role="img"
        aria-labelledby={`${id}-title`}
        aria-describedby={`${id}-desc`}
      >
        <title id={`${id}-title`}>{label}</title>
        <desc id={`${id}-desc`}>{said.join(', ')}</desc>
        {shown.map((_, index) => (
          <Fill key={index} id={id} index={index} />
        ))}
        {arcs(shown, total).map((path, index) => (
          <path
            key={shown[index].name}
            className={styles.slice}
            d={path}
            fill={fillOf(id, index)}
            fillRule="evenodd"
          />
        ))}
        <text x={SIZE / 2} y={SIZE / 2 + 6} className={styles.total}>
          {sayCount(total)}
        </text>
      </svg>
      <ul className={styles.legend}>
        {shown.map((each, index) => (
          <li key={each.name}>
            <svg aria-hidden viewBox="0 0 16 16" className={styles.swatch}>
              <rect width="16" height="16" rx="3" fill={fillOf(id, index)} />
            </svg>
            <span className={styles.name} title={each.name}>
              {each.name}
            </span>
            <span className={styles.share}>{sayShare(each.count / total)}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

/** The largest, and the others together. */
function gather(slices: Slice[], others: (count: number) => string): Slice[] {
  const sorted = slices
    .filter(each => each.count > 0)
    .sort((a, b) => b.count - a.count);
  if (sorted.length <= SLICES) return sorted;
  const rest = sorted.slice(SLICES);
  const count = rest.reduce((sum, each) => sum + each.count, 0);
  return [...sorted.slice(0, SLICES), { name: others(rest.length), count }];
}

/** The parts of the ring as paths, from the top with the clock. */
function arcs(slices: Slice[], total: number): string[] {
  const widened = slices.map(each => Math.max(NARROWEST, each.count / total));
  const sum = widened.reduce((all, each) => all + each, 0);
  let from = 0;
  return widened.map(part => {
    const to = from + part / sum;
    const path = slices.length === 1 ? fullRing() : arc(from, to);
    from = to;
    return path;
  });
}

function point(turn: number, radius: number): string {
  const angle = 2 * Math.PI * turn - Math.PI / 2;
  const at = (part: number) => (SIZE / 2 + radius * part).toFixed(2);
  return `${at(Math.cos(angle))} ${at(Math.sin(angle))}`;
}

function arc(from: number, to: number): string {
  const [outer, inner] = [RADIUS + RING / 2, RADIUS - RING / 2];
  const large = to - from > 0.5 ? 1 : 0;
  return (
    `M${point(from, outer)}A${outer} ${outer} 0 ${large} 1 ${point(
      to,
      outer,
    )}` +
    `L${point(to, inner)}A${inner} ${inner} 0 ${large} 0 ${point(from, inner)}Z`
  );
}

function fullRing(): string {
  return [RADIUS + RING / 2, RADIUS - RING / 2]
    .map(
      radius =>
        `M${point(0, radius)}A${radius} ${radius} 0 1 1 ${point(0.5, radius)}` +
        `A${radius} ${radius} 0 1 1 ${point(0, radius)}Z`,
    )
    .join('');
}
