import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Text } from '@backstage/ui';
import { useState } from 'react';
import { deadLetterTranslationRef } from '../../translation';
import { Acting, Selection } from '../acting';
import { CompareDrawer } from './compare/CompareDrawer';
import { Chosen } from './useSelection';
import styles from './service.module.css';

interface SelectionBarProps {
  chosen: Chosen;
  /** How many of those that the filter listed it lists still. */
  total: number;
  /** What arrives from then on is not in that number. */
  before: string | undefined;
  /** What is listed, if it can be acted on. */
  actsOn: Selection['status'];
  service: string;
  resourceRef: string;
  onChanged: () => void;
}

/** What is chosen, and what can be done with it. */
export function SelectionBar(props: SelectionBarProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { chosen, actsOn, service, resourceRef, onChanged } = props;
  return (
    <div className={styles.selection}>
      {/* It stays where nothing can be chosen: it shows what goes on. */}
      <Acting
        selection={actsOn ? chosen.selection : undefined}
        listed={actsOn}
        services={[service]}
        resourceRef={resourceRef}
        onChanged={stage => {
          if (stage === 'begun') chosen.clear();
          onChanged();
        }}
      />
      {actsOn ? (
        <Choice {...props} />
      ) : (
        <Text color="secondary">{t('service.onlyDead')}</Text>
      )}
    </div>
  );
}

function Choice({ chosen, total, before }: SelectionBarProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { isAll, elsewhere } = chosen;
  const [comparing, setComparing] = useState<[string, string]>();
  const count = isAll ? total : chosen.ids.size + elsewhere;
  const selection = chosen.selection?.ids;
  return (
    <>
      <Text as="span" role="status">
        {t(isAll ? 'service.allSelected' : 'service.selected', { count })}
        {!isAll && elsewhere > 0 && (
          <> {t('service.selectedElsewhere', { count: elsewhere })}</>
        )}
      </Text>
      {!isAll && total > 0 && (
        <Button
          size="small"
          variant="secondary"
          onPress={() => chosen.chooseAll(before)}
        >
          {t('service.selectAllMatching', { count: total })}
        </Button>
      )}
      {selection?.length === 2 && (
        <Button
          size="small"
          variant="secondary"
          onPress={() => setComparing(selection as [string, string])}
        >
          {t('compare.button')}
        </Button>
      )}
      {comparing && (
        <CompareDrawer
          ids={comparing}
          onClose={() => setComparing(undefined)}
        />
      )}
      {count > 0 && (
        <Button size="small" variant="tertiary" onPress={chosen.clear}>
          {t('service.clearSelection')}
        </Button>
      )}
    </>
  );
}
