import styles from './Sparkline.module.css';

interface SparklineProps {
  /** One for each step of time, the latest last. */
  values: number[];
  /** The same in words. */
  label: string;
}

const WIDTH = 96;
const HEIGHT = 24;
/** So that one of many is still seen. */
const LEAST = 1.5;

/** How a number went, as small bars. */
export function Sparkline({ values, label }: SparklineProps) {
  const most = Math.max(...values, 1);
  const step = WIDTH / Math.max(values.length, 1);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      className={styles.sparkline}
    >
      <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      {values.map((value, index) => {
        const height =
          value === 0 ? 0 : Math.max((value / most) * HEIGHT, LEAST);
        return (
          <rect
            // Bars have no other name than their place.
            // eslint-disable-next-line react/no-array-index-key
            key={index}
            x={index * step}
            y={HEIGHT - height}
            width={Math.max(step - 1, 1)}
            height={height}
          />
        );
      })}
    </svg>
  );
}
