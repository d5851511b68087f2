import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Text } from '@backstage/ui';
import { deadLetterTranslationRef } from '../../translation';
import { Acting } from '../acting';
import { Chosen } from './useSelection';
import styles from './service.module.css';

interface SelectionBarProps {
  chosen: Chosen;
  /** How many of those that the filter listed it lists still. */
  total: number;
  /** What arrives from then on is not in that number. */
  before: string | undefined;
  /** Whether what is listed can be acted on. */
  canAct: boolean;
  service: string;
  resourceRef: string;
  onChanged: () => void;
}

/** What is chosen, and what can be done with it. */
export function SelectionBar(props: SelectionBarProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { chosen, canAct, service, resourceRef, onChanged } = props;
  return (
    <div className={styles.selection}>
      {/* It stays where nothing can be chosen: it shows what goes on. */}
      <Acting
        selection={canAct ? chosen.selection : undefined}
        service={service}
        resourceRef={resourceRef}
        onChanged={stage => {
          if (stage === 'begun') chosen.clear();
          onChanged();
        }}
      />
      {canAct ? (
        <Choice {...props} />
      ) : (
        <Text color="secondary">{t('service.onlyDead')}</Text>
      )}
    </div>
  );
}

function Choice({ chosen, total, before }: SelectionBarProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { isAll } = chosen;
  const count = isAll ? total : chosen.ids.size;
  return (
    <>
      <Text as="span" role="status">
        {t(isAll ? 'service.allSelected' : 'service.selected', { count })}
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
      {count > 0 && (
        <Button size="small" variant="tertiary" onPress={chosen.clear}>
          {t('service.clearSelection')}
        </Button>
      )}
    </>
  );
}
