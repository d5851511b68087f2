import { Text } from '@backstage/ui';
import styles from './Donut.module.css';
import { sayShare } from './share';

/** One part of the whole. */
export interface Slice {
  label: string;
  value: number;
}

interface DonutProps {
  /** Most first is easiest to read. Those beyond the sixth are shown as one. */
  slices: Slice[];
  /** The whole in words, for who does not see it. */
  label: string;
  /** Name of those that are shown as one. */
  others: (count: number) => string;
}

/** Beyond so many nobody tells the colours apart. */
const MOST_SLICES = 6;

const RADIUS = 40;
const CIRCUMFERENCE = 2 * Math.PI * RADIUS;
/** Between two slices, so that their colours need not differ to tell where one ends. */
const GAP = 1.5;

/** Shares of a whole as a ring, with a legend that says them in numbers. */
export function Donut({ slices, label, others }: DonutProps) {
  const shown = gather(slices, others);
  const total = shown.reduce((sum, each) => sum + each.value, 0);
  if (total === 0) return null;
  return (
    <div className={styles.donut}>
      <Ring slices={shown} total={total} label={label} />
      <ul className={styles.legend}>
        {shown.map((slice, index) => (
          <li key={slice.label}>
            <span
              aria-hidden
              className={styles.swatch}
              data-colour={colourOf(index)}
            />
            <Text truncate title={slice.label}>
              {slice.label}
            </Text>
            <Text className={styles.number}>
              {slice.value.toLocaleString()}
            </Text>
            <Text color="secondary" className={styles.number}>
              {sayShare(slice.value / total)}
            </Text>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface RingProps {
  slices: Slice[];
  total: number;
  label: string;
}

function Ring({ slices, total, label }: RingProps) {
  let start = 0;
  const gap = slices.length > 1 ? GAP : 0;
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox="0 0 100 100"
      className={styles.ring}
    >
      {slices.map((slice, index) => {
        const length = (slice.value / total) * CIRCUMFERENCE;
        const offset = -start;
        start += length;
        return (
          <circle
            key={slice.label}
            data-colour={colourOf(index)}
            cx="50"
            cy="50"
            r={RADIUS}
            // A slice that is too small for the gap still shows.
            strokeDasharray={`${Math.max(length - gap, 0.5)} ${CIRCUMFERENCE}`}
            strokeDashoffset={offset}
          />
        );
      })}
    </svg>
  );
}

function gather(slices: Slice[], others: (count: number) => string): Slice[] {
  if (slices.length <= MOST_SLICES) return slices;
  const rest = slices.slice(MOST_SLICES);
  return [
    ...slices.slice(0, MOST_SLICES),
    {
      label: others(rest.length),
      value: rest.reduce((sum, each) => sum + each.value, 0),
    },
  ];
}

function colourOf(index: number): string {
  return index < MOST_SLICES ? String(index + 1) : 'others';
}
