import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Filter,
  Histogram as Counts,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { sayTime } from '../../components/Time';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import styles from './service.module.css';

interface HistogramProps {
  filter: Filter;
  /** An interval was chosen. */
  onChoose: (from: string, to: string) => void;
}

/** How many arrived when, of what the filter lists. */
export function Histogram({ filter, onChoose }: HistogramProps) {
  const answer = useAnswer(['histogram', filter], (client, signal) =>
    client.histogram(filter, {}, signal),
  );
  return (
    <div className={styles.histogram}>
      {/* Why there is none, the table says. */}
      {answer.data && <Bars counts={answer.data} onChoose={onChoose} />}
    </div>
  );
}

function Bars({
  counts,
  onChoose,
}: {
  counts: Counts;
  onChoose: HistogramProps['onChoose'];
}) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { starts, to, interval, series } = counts;
  const heights = series[0]?.counts ?? starts.map(() => 0);
  const most = Math.max(1, ...heights);
  const label = t('service.arrivalsLabel', {
    count: heights.reduce((sum, each) => sum + each, 0),
    from: sayTime(new Date(counts.from)),
    to: sayTime(new Date(to)),
    most: Math.max(0, ...heights),
    interval,
  });
  return (
    <figure className={styles.bars} aria-label={label}>
      {heights.map((height, index) =>
        height === 0 ? (
          <span key={starts[index]} className={styles.bar} />
        ) : (
          <button
            key={starts[index]}
            type="button"
            className={styles.bar}
            // Each is reached by the filter of the time too: sixty stops would be in the way of who goes by keyboard.
            tabIndex={-1}
            aria-label={t('service.bar', {
              count: height,
              from: sayTime(new Date(starts[index])),
            })}
            title={`${height.toLocaleString()} · ${sayTime(
              new Date(starts[index]),
            )}`}
            onClick={() => onChoose(starts[index], starts[index + 1] ?? to)}
          >
            <span style={{ height: `${(100 * height) / most}%` }} />
          </button>
        ),
      )}
      <figcaption className={styles.axis}>
        <span>{sayTime(new Date(counts.from))}</span>
        <span>{sayTime(new Date(to))}</span>
      </figcaption>
    </figure>
  );
}
