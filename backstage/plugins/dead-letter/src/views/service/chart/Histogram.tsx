import {
  CountedGroup,
  Filter,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMemo } from 'react';
import { Bars } from './Bars';
import { Legend } from './Legend';
import { seriesOf } from './series';
import { useCharted } from './useCharted';
import styles from './chart.module.css';

const NONE: CountedGroup[] = [];

interface HistogramProps {
  filter: Filter;
  /** Those that can be in it, if it is to be told which they are. */
  groups?: CountedGroup[];
  /** An interval was chosen. Without it none can be. */
  onChoose?: (from: string, to: string) => void;
  onChooseGroup?: (id: string) => void;
}

/** How many arrived when, of what the filter lists: by error group, unless it lists one only. */
export function Histogram(props: HistogramProps) {
  const { filter, groups = NONE, onChoose, onChooseGroup } = props;
  const isSplit = onChooseGroup !== undefined && !filter.errorGroup;
  const counts = useCharted(filter, isSplit ? 'errorGroup' : undefined);
  const series = useMemo(() => (counts ? seriesOf(counts) : []), [counts]);
  return (
    <div className={styles.histogram}>
      {/* Why there is none, the table says. */}
      {counts && (
        <>
          <Bars counts={counts} series={series} onChoose={onChoose} />
          {isSplit && series.length > 1 && (
            <Legend series={series} groups={groups} onChoose={onChooseGroup} />
          )}
        </>
      )}
    </div>
  );
}
