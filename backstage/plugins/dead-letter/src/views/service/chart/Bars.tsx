import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Histogram } from '@dead-letter/backstage-plugin-dead-letter-common';
import { KeyboardEvent, useState } from 'react';
import { sayTime } from '../../../components/Time';
import { deadLetterTranslationRef } from '../../../translation';
import { Series, sum, totalsOf } from './series';
import styles from './chart.module.css';

interface BarsProps {
  counts: Histogram;
  series: Series[];
  onChoose?: (from: string, to: string) => void;
}

/** A bar for each interval, with its scale. One stop for all of them; the arrow keys go from bar to bar. */
export function Bars({ counts, series, onChoose }: BarsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { starts, from, to, interval } = counts;
  const totals = totalsOf(series, starts.length);
  const most = Math.max(0, ...totals);
  const [pointed, setPointed] = useState<number>();
  const full = totals.flatMap((total, at) => (total > 0 ? [at] : []));
  const stop = full.includes(pointed ?? -1) ? pointed : full[0];
  const go = (event: KeyboardEvent<HTMLElement>, at: number) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step && full[full.indexOf(at) + step];
    if (next === undefined) return;
    event.preventDefault();
    const bars = event.currentTarget.parentElement?.children;
    (bars?.item(next) as HTMLElement | null)?.focus();
  };
  const said = pointed !== undefined && totals[pointed] > 0 && pointed;
  return (
    <figure
      className={styles.chart}
      aria-label={t('service.arrivalsLabel', {
        count: sum(totals),
        from: sayTime(new Date(from)),
        to: sayTime(new Date(to)),
        most,
        interval,
      })}
    >
      <div className={styles.scale} aria-hidden>
        <span>{most.toLocaleString()}</span>
        <span>0</span>
      </div>
      <div className={styles.bars}>
        {totals.map((total, at) =>
          total === 0 ? (
            <span key={starts[at]} className={styles.bar} />
          ) : (
            <button
              key={starts[at]}
              type="button"
              className={styles.bar}
              tabIndex={at === stop ? 0 : -1}
              aria-label={t(onChoose ? 'service.bar' : 'service.barOnly', {
                count: total,
                from: sayTime(new Date(starts[at])),
              })}
              onFocus={() => setPointed(at)}
              onPointerEnter={() => setPointed(at)}
              onKeyDown={event => go(event, at)}
              onClick={() => onChoose?.(starts[at], starts[at + 1] ?? to)}
            >
              <Parts series={series} at={at} most={most} />
            </button>
          ),
        )}
      </div>
      <figcaption className={styles.axis}>
        <span>{sayTime(new Date(from))}</span>
        <span>
          {said !== false
            ? t('service.barSaid', {
                count: totals[said],
                from: sayTime(new Date(starts[said])),
              })
            : t('service.most', { count: most, interval })}
        </span>
        <span>{sayTime(new Date(to))}</span>
      </figcaption>
    </figure>
  );
}

interface PartsProps {
  series: Series[];
  at: number;
  most: number;
}

/** What a bar is made of, the group with the most below. */
function Parts({ series, at, most }: PartsProps) {
  return (
    <>
      {series.map(
        ({ group, isOthers, counts }, colour) =>
          counts[at] > 0 && (
            <span
              key={group ?? String(isOthers)}
              data-colour={isOthers ? 'others' : colour}
              style={{ height: `${(100 * counts[at]) / most}%` }}
            />
          ),
      )}
    </>
  );
}
