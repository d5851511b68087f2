import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { deadLetterTranslationRef } from '../translation';
import { sayCount } from './Count';
import styles from './Sparkline.module.css';

/** Of a bar and the gap beside it, in the units of the drawing. */
const STEP = 5;
const BAR = 4;
const HEIGHT = 32;
/** What is there is seen, however small beside the greatest. */
const LOWEST = 2;

/** How many arrived in each of the last hours, the running one last. */
export function Sparkline({ values }: { values: number[] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const most = Math.max(0, ...values);
  const label = t('squad.sparkline', {
    hours: String(values.length),
    total: sayCount(values.reduce((sum, each) => sum + each, 0)),
    most: sayCount(most),
    running: sayCount(values[values.length - 1] ?? 0),
  });
  const width = Math.max(1, values.length) * STEP;
  return (
    <svg
      className={styles.sparkline}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      <rect className={styles.base} y={HEIGHT - 1} width={width} height={1} />
      {values.map((value, hour) => {
        const height = value && Math.max(LOWEST, (value / most) * HEIGHT);
        return (
          <rect
            key={hour}
            data-value={value}
            className={hour === values.length - 1 ? styles.running : styles.bar}
            x={hour * STEP}
            y={HEIGHT - height}
            width={BAR}
            height={height}
          />
        );
      })}
    </svg>
  );
}
