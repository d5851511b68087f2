import { Entity } from '@backstage/catalog-model';
import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  DefaultEntityFilters,
  EntityFilter,
  useEntityList,
} from '@backstage/plugin-catalog-react';
import { Checkbox, Text } from '@backstage/ui';
import { useEffect, useId, useState } from 'react';
import { Readable } from '../../components/Readable';
import { deadLetterTranslationRef } from '../../translation';
import { MOST, useWithDeadLetters } from './useWithDeadLetters';
import styles from './card.module.css';

type Filters = DefaultEntityFilters & { deadLetters?: HasDeadLetters };

/** Leaves the entities that have dead letters. */
class HasDeadLetters implements EntityFilter {
  constructor(private readonly uids: string[]) {}

  getCatalogQuery() {
    return { 'metadata.uid': { $in: this.uids } };
  }

  filterEntity({ metadata }: Entity) {
    return this.uids.includes(metadata.uid ?? '');
  }

  toQueryValue() {
    return 'true';
  }
}

/** In the catalog: whether only what has dead letters is listed. */
export function DeadLettersFilter() {
  return (
    <Readable>
      <Filter />
    </Readable>
  );
}

function Filter() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const title = useId();
  const { queryParameters, updateFilters } = useEntityList<Filters>();
  const [isOn, setOn] = useState(queryParameters.deadLetters === 'true');
  const uids = useWithDeadLetters(isOn);
  // The ids in one text: another list of the same ids is no other filter.
  const found = uids?.join(' ');
  useEffect(() => {
    const filter =
      isOn && found !== undefined
        ? new HasDeadLetters(found.split(' ').filter(Boolean))
        : undefined;
    updateFilters({ deadLetters: filter });
  }, [isOn, found, updateFilters]);
  return (
    <div role="group" aria-labelledby={title} className={styles.filter}>
      <Text as="div" id={title} variant="body-medium" weight="bold">
        {t('catalog.filter')}
      </Text>
      <Checkbox isSelected={isOn} onChange={setOn}>
        {t('catalog.filterHas')}
      </Checkbox>
      {isOn && uids?.length === MOST && (
        <Text as="p" variant="body-small" color="secondary">
          {t('catalog.filterMost', { count: MOST })}
        </Text>
      )}
    </div>
  );
}
