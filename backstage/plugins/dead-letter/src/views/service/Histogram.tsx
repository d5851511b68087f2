import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Filter,
  Histogram as Counts,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { KeyboardEvent, useState } from 'react';
import { sayTime } from '../../components/Time';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import styles from './service.module.css';

interface HistogramProps {
  filter: Filter;
  /** An interval was chosen. Without it none can be. */
  onChoose?: (from: string, to: string) => void;
}

/** How many arrived when, of what the filter lists. Without a time it is of the last day, and says so. */
export function Histogram({ filter, onChoose }: HistogramProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const answer = useAnswer(['histogram', filter], (client, signal) =>
    client.histogram(filter, {}, signal),
  );
  return (
    <div className={styles.histogram}>
      {/* Why there is none, the table says. */}
      {answer.data && (
        <>
          <Bars counts={answer.data} onChoose={onChoose} />
          {!filter.from && (
            <p className={styles.charted}>{t('service.chartDay')}</p>
          )}
        </>
      )}
    </div>
  );
}

interface BarsProps {
  counts: Counts;
  onChoose: HistogramProps['onChoose'];
}

function Bars({ counts, onChoose }: BarsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { starts, to, interval, series } = counts;
  const heights = series[0]?.counts ?? starts.map(() => 0);
  const most = Math.max(0, ...heights);
  const [pointed, setPointed] = useState<number>();
  // One stop for all of them; the arrow keys go from bar to bar.
  const full = heights.flatMap((height, index) => (height > 0 ? [index] : []));
  const stop = full.includes(pointed ?? -1) ? pointed : full[0];
  const go = (event: KeyboardEvent<HTMLElement>, index: number) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step && full[full.indexOf(index) + step];
    if (next === undefined) return;
    event.preventDefault();
    const bars = event.currentTarget.parentElement?.children;
    (bars?.item(next) as HTMLElement | null)?.focus();
  };
  const label = t('service.arrivalsLabel', {
    count: heights.reduce((sum, each) => sum + each, 0),
    from: sayTime(new Date(counts.from)),
    to: sayTime(new Date(to)),
    most,
    interval,
  });
  return (
    <figure className={styles.chart} aria-label={label}>
      <div className={styles.bars}>
        {heights.map((height, index) =>
          height === 0 ? (
            <span key={starts[index]} className={styles.bar} />
          ) : (
            <button
              key={starts[index]}
              type="button"
              className={styles.bar}
              tabIndex={index === stop ? 0 : -1}
              aria-label={t(onChoose ? 'service.bar' : 'service.barOnly', {
                count: height,
                from: sayTime(new Date(starts[index])),
              })}
              onFocus={() => setPointed(index)}
              onPointerEnter={() => setPointed(index)}
              onKeyDown={event => go(event, index)}
              onClick={() => onChoose?.(starts[index], starts[index + 1] ?? to)}
            >
              <span style={{ height: `${(100 * height) / most}%` }} />
            </button>
          ),
        )}
      </div>
      <figcaption className={styles.axis}>
        <span>{sayTime(new Date(counts.from))}</span>
        <span>
          {pointed !== undefined && heights[pointed] > 0
            ? t('service.barSaid', {
                count: heights[pointed],
                from: sayTime(new Date(starts[pointed])),
              })
            : t('service.most', { count: most, interval })}
        </span>
        <span>{sayTime(new Date(to))}</span>
      </figcaption>
    </figure>
  );
}
